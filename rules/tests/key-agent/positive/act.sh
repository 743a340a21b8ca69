# perl uses the keys of somebody's agent
mkdir -p /tmp/ssh-XXab
#record
perl -MIO::Socket::UNIX -e '$l = IO::Socket::UNIX->new(Local => "/tmp/ssh-XXab/agent.77", Listen => 1); IO::Socket::UNIX->new("/tmp/ssh-XXab/agent.77") or die'
