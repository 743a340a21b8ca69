# With a tool, and in an interpreter
mkdir -p /root/.aws /home/ann/.kube; echo x >/root/.aws/credentials; echo x >/home/ann/.kube/config
#record
cat /root/.aws/credentials
perl -e 'open F, "<", "/home/ann/.kube/config"'
