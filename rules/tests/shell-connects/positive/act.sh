# bash connects to a listener
#record
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 4444, ReuseAddr => 1) or die; if (!fork) { $SIG{ALRM} = sub { exit }; alarm 5; $l->accept; exit }'
bash -c 'exec 5<>/dev/tcp/127.0.0.1/4444; true'
