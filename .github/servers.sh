#!/bin/sh
# Starts the servers that the tests of projects with MySQL and RabbitMQ look for.
set -eu
# Its programs alone, for the tests of TLS, which start a server of their own.
sudo apt-get update --quiet
sudo apt-get install --yes --quiet mariadb-server-core
docker run --detach --name database --publish 127.0.0.1:3306:3306 \
    --env MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 mariadb:10.11
docker run --detach --name rabbitmq --publish 127.0.0.1:5672:5672 rabbitmq:4
timeout 60 sh -c 'until docker exec database healthcheck.sh --connect --innodb_initialized; do sleep 1; done'
timeout 90 sh -c 'until docker exec rabbitmq rabbitmq-diagnostics --quiet check_port_connectivity; do sleep 1; done'
