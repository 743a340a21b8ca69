# A login; a forward of one's own
fake ssh
#record
ssh web2 uptime
ssh -L 8080:localhost:80 web2
