# Passwords in typed commands
echo 'mysql -psecret' >/home/ann/.bash_history
#record
grep mysql /home/ann/.bash_history
