# An ordinary name; the relay's own program
cp /usr/bin/perl /usr/bin/relay
#record
curl -s -m 1 http://127.0.0.1:9/onion
relay -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 9050) or die; IO::Socket::INET->new("127.0.0.1:9050") or die'
