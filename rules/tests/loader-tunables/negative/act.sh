# Well-formed tunables
#record
GLIBC_TUNABLES=glibc.malloc.check=1:glibc.malloc.mxfast=64 /bin/true
/bin/true
