# Tools installed for one user
mkdir -p /home/ann/.local/bin /home/ann/.cargo/bin
cp /bin/true /home/ann/.local/bin/tool
cp /bin/true /home/ann/.cargo/bin/rg
#record
/home/ann/.local/bin/tool
/home/ann/.cargo/bin/rg
cat /dev/null /home/ann/.x 2>/dev/null
