# A keyring and a database of passwords
mkdir -p /home/ann/.local/share/keyrings; echo x >/home/ann/.local/share/keyrings/login.keyring; echo x >/home/ann/all.kdbx
#record
cat /home/ann/.local/share/keyrings/login.keyring
tar cf /tmp/x.tar -C /home/ann all.kdbx
