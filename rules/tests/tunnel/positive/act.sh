# A tunnel's program, and ssh that forwards from afar
fake chisel
fake ssh
#record
chisel client 203.0.113.5:443 R:socks
ssh -f -N -R 2222:localhost:22 x@203.0.113.5
