# The cloud's agent does; another address of the link
address 169.254.169.254/32
address 169.254.1.1/32
cp /usr/bin/perl /usr/bin/cloud-init
#record
cloud-init -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "169.254.169.254", LocalPort => 80) or die; IO::Socket::INET->new("169.254.169.254:80") or die'
perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => "169.254.1.1", LocalPort => 80) or die; IO::Socket::INET->new("169.254.1.1:80") or die'
