# Started under such a name, and renamed later
#record
perl -e 'exec { "/bin/true" } "[kworker/1:1]"'
perl -e '$n = "kworker/0:2"; syscall 157, 15, $n, 0, 0, 0'
