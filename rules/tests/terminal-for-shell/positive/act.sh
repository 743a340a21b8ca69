# python gives a shell a terminal
#record
python3 -ISc 'import pty; pty.spawn(["/bin/true"])'
