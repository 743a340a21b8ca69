# A shell tool in a pod
mkdir -p /run/secrets/kubernetes.io/serviceaccount; echo eyJ >/run/secrets/kubernetes.io/serviceaccount/token
#record
in-container cat /run/secrets/kubernetes.io/serviceaccount/token
