# A file does; a connection gets another number; a server that is started with its connection
posing inetd
#record
perl -e 'open STDOUT, ">", "/srv/x"'
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 4444) or die;
	$s = IO::Socket::INET->new("127.0.0.1:4444") or die; open OTHER, ">&", $s'
