# A listener on loopback gets a shell whose input and output are the connection, as a reverse shell does
#record
perl -MIO::Socket::INET -e '
	$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 4444) or die;
	if (!fork) {
		$s = IO::Socket::INET->new("127.0.0.1:4444") or die;
		open STDIN, "<&", $s; open STDOUT, ">&", $s; exec "/bin/sh", "-i";
	}
	$c = $l->accept; print $c "exit\n"; $c->flush; wait'
