# The pod's own program; the certificate beside it
mkdir -p /run/secrets/kubernetes.io/serviceaccount; echo eyJ >/run/secrets/kubernetes.io/serviceaccount/token; echo x >/run/secrets/kubernetes.io/serviceaccount/ca.crt
cp /bin/cat /usr/bin/controller
#record
in-container controller /run/secrets/kubernetes.io/serviceaccount/token
in-container cat /run/secrets/kubernetes.io/serviceaccount/ca.crt
