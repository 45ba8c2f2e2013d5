#!/bin/sh
# Makes what is missing of a set's keys: ssh keys of the nodes and of their user, a certificate authority, the certificates
# of the nodes; and the directory that the nodes share. Prints what it made.
# Usage: make_keys.sh STATE_DIRECTORY NODE=ADDRESS...
set -eu
umask 077
state=$1
shift
mkdir -p "$state"
# Every user of every node gets through to what lies beneath it.
[ -d "$state/shared" ] || { mkdir -m 0755 "$state/shared" && echo "made $state/shared"; }

ssh_key() {
    [ -e "$1" ] || { ssh-keygen -q -t ed25519 -N '' -C "$2" -f "$1" && echo "made $1"; }
}

certificate() {
    file=$1
    shift
    [ -e "$file.pem" ] && return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
        -keyout "$file.key" -out "$file.pem" "$@" 2>/dev/null
    # Read in the nodes by services that are not root.
    chmod 644 "$file.pem"
    echo "made $file.pem"
}

ssh_key "$state/ssh_key" "glance test bed"
# Python 3.13 takes no authority that does not say what its key is for.
certificate "$state/ca" -subj "/CN=Glance test bed" -addext keyUsage=critical,keyCertSign,cRLSign
for pair; do
    node=${pair%=*} address=${pair##*=}
    mkdir -p "$state/nodes/$node"
    ssh_key "$state/nodes/$node/ssh_host_ed25519_key" "$node"
    certificate "$state/nodes/$node/tls" -CA "$state/ca.pem" -CAkey "$state/ca.key" -subj "/CN=$node" \
        -addext "subjectAltName=DNS:$node,IP:$address" -addext basicConstraints=critical,CA:FALSE
done
