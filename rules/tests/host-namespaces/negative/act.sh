# Those of another process
#record
nsenter -t $$ -m true
nsenter --target=$$ -u true
nsenter --help >/dev/null
