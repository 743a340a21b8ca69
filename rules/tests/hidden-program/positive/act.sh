# A hidden directory below a home
mkdir -p /home/ann/.x
cp /bin/true /home/ann/.x/kd
#record
/home/ann/.x/kd
