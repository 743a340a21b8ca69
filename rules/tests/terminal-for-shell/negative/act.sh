# script that records a program's output to a file
#record
script -qec true /tmp/typescript
python3 -ISc 'import tty'
