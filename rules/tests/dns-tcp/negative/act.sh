# The site's own name server; a resolver does it; the web; nobody is there
address 203.0.113.53/32
address 10.0.0.53/32
cp /usr/bin/perl /usr/bin/named
#record
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "10.0.0.53", LocalPort => 53) or die; IO::Socket::INET->new("10.0.0.53:53") or die'
named -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.53", LocalPort => 53) or die; IO::Socket::INET->new("203.0.113.53:53") or die'
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.53", LocalPort => 443) or die; IO::Socket::INET->new("203.0.113.53:443") or die'
perl -MIO::Socket::INET -e 'IO::Socket::INET->new("203.0.113.53:853")'
