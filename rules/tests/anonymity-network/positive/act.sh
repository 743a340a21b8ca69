# A name that exists only there, and Tor's port
#record
curl -s -m 1 http://expyuzz4wqqyqhjn.onion/
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => 9050) or die; IO::Socket::INET->new("127.0.0.1:9050") or die'
