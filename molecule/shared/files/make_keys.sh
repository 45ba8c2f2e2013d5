#!/bin/sh
# Makes what is missing of a set's keys: ssh keys of the nodes and of their user, a certificate authority, the certificate
# of the backing node. Prints what it made.
# Usage: make_keys.sh STATE_DIRECTORY BACKING_NODE BACKING_ADDRESS NODE...
set -eu
umask 077
state=$1 backing=$2 address=$3
shift 3

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

for node; do
    mkdir -p "$state/nodes/$node"
    ssh_key "$state/nodes/$node/ssh_host_ed25519_key" "$node"
done
ssh_key "$state/ssh_key" "glance test bed"
certificate "$state/ca" -subj "/CN=Glance test bed"
certificate "$state/nodes/$backing/tls" -CA "$state/ca.pem" -CAkey "$state/ca.key" -subj "/CN=$backing" \
    -addext "subjectAltName=DNS:$backing,IP:$address" -addext basicConstraints=critical,CA:FALSE
