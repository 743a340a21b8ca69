# A connection to the usual port of a pool
address 203.0.113.5/32
cp /usr/bin/perl /usr/bin/worker
#record
worker -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.5", LocalPort => 3333) or die; IO::Socket::INET->new("203.0.113.5:3333") or die'
