# A line appended to a user's and to everybody's profile
echo 'alias ll="ls -l"' >/home/ann/.bashrc
#record
cd /home/ann; echo true >>.bashrc
echo true >/etc/profile.d/x.sh
