# A controller on port 4444
address 203.0.113.5/32
#record
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "203.0.113.5", LocalPort => 4444) or die; IO::Socket::INET->new("203.0.113.5:4444") or die'
