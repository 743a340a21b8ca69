# The cloud's agent does, also in a container, and a program of the system; another address of the link; nobody is there
address 169.254.169.254/32
address 169.254.1.1/32
cp /usr/bin/perl /usr/bin/cloud-init
cp /usr/bin/perl /usr/bin/worker
#record
in-container cloud-init -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "169.254.169.254", LocalPort => 80) or die; IO::Socket::INET->new("169.254.169.254:80") or die'
worker -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "169.254.169.254", LocalPort => 81) or die; IO::Socket::INET->new("169.254.169.254:81") or die'
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "169.254.1.1", LocalPort => 80) or die; IO::Socket::INET->new("169.254.1.1:80") or die'
perl -MIO::Socket::INET -e 'IO::Socket::INET->new("169.254.169.254:82")'
