# ssh does; nobody listens any more; another socket
mkdir -p /tmp/ssh-XXab
cp /usr/bin/perl /usr/bin/ssh-add
#record
ssh-add -MIO::Socket::UNIX -e '$l = IO::Socket::UNIX->new(Local => "/tmp/ssh-XXab/agent.77", Listen => 1); IO::Socket::UNIX->new("/tmp/ssh-XXab/agent.77") or die'
perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new("/tmp/ssh-XXab/agent.77")'
perl -MIO::Socket::UNIX -e '$l = IO::Socket::UNIX->new(Local => "/tmp/app.sock", Listen => 1); IO::Socket::UNIX->new("/tmp/app.sock") or die'
