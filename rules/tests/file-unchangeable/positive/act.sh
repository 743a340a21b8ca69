# A file that even root cannot change
fake chattr
touch /root/k
#record
chattr +i /root/k
chattr -R -ia /srv
