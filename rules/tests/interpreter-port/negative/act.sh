# The web; a private network; nobody is there; a program of the system
address 203.0.113.5/32
address 10.0.0.5/32
cp /usr/bin/perl /usr/bin/worker
#record
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.5", LocalPort => 443) or die; IO::Socket::INET->new("203.0.113.5:443") or die'
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "10.0.0.5", LocalPort => 4444) or die; IO::Socket::INET->new("10.0.0.5:4444") or die'
perl -MIO::Socket::INET -e 'IO::Socket::INET->new("203.0.113.5:4445")'
worker -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.5", LocalPort => 4446) or die; IO::Socket::INET->new("203.0.113.5:4446") or die'
