# The web; the same port in the own network; an interpreter; nobody is there
address 203.0.113.5/32
address 10.0.0.5/32
cp /usr/bin/perl /usr/bin/worker
#record
worker -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.5", LocalPort => 443) or die; IO::Socket::INET->new("203.0.113.5:443") or die'
worker -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "10.0.0.5", LocalPort => 3333) or die; IO::Socket::INET->new("10.0.0.5:3333") or die'
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.5", LocalPort => 5555) or die; IO::Socket::INET->new("203.0.113.5:5555") or die'
worker -MIO::Socket::INET -e 'IO::Socket::INET->new("203.0.113.5:7777")'
