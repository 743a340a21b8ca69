# perl talks to a name server over TCP
address 203.0.113.53/32
#record
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.53", LocalPort => 53) or die; IO::Socket::INET->new("203.0.113.53:53") or die'
