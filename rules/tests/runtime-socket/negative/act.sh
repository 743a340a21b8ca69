# By its own client on the host; another socket
cp /usr/bin/perl /usr/bin/docker
#record
perl -MIO::Socket::UNIX -e '$l = IO::Socket::UNIX->new(Local => "/run/docker.sock", Listen => 1) or die; if (!fork) { exec "docker", "-MIO::Socket::UNIX", "-e", "IO::Socket::UNIX->new(q(/run/docker.sock)) or die" } wait'
perl -MIO::Socket::UNIX -e '$l = IO::Socket::UNIX->new(Local => "/run/app.sock", Listen => 1) or die; if (!fork) { exec "perl", "-MIO::Socket::UNIX", "-e", "IO::Socket::UNIX->new(q(/run/app.sock)) or die" } wait'
