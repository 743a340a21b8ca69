# A program with a connection starts a shell that does not get it as a standard stream
#record
perl -MIO::Socket::INET -e '
	$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 4444) or die;
	$s = IO::Socket::INET->new("127.0.0.1:4444") or die;
	system "/bin/sh", "-c", "true; true"'
