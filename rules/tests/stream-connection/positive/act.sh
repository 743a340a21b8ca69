# A connection takes the place of an interpreter's output
#record
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 4444) or die;
	$s = IO::Socket::INET->new("127.0.0.1:4444") or die; open STDOUT, ">&", $s'
