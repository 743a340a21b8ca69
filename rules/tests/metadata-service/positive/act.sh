# curl asks for credentials
address 169.254.169.254/32
#record
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "169.254.169.254", LocalPort => 80, ReuseAddr => 1) or die; if (!fork) { $SIG{ALRM} = sub { exit }; alarm 5; $l->accept; exit }'
curl -s -m 1 http://169.254.169.254/latest/meta-data/iam/security-credentials/
