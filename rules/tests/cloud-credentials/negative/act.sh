# By the tool that owns it; a file beside it
mkdir -p /root/.aws /home/ann/.kube; echo x >/root/.aws/config; echo x >/home/ann/.kube/config
cp /bin/cat /usr/bin/kubectl2 && mv /usr/bin/kubectl2 /usr/bin/helm
#record
helm /home/ann/.kube/config
cat /root/.aws/config
