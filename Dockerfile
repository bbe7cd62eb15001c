# A tag can be moved to another image. To pin the very image, look up its digest and build with
#   --build-arg NODE_IMAGE=node:26.10.0-slim@sha256:<digest>
ARG NODE_IMAGE=node:26.10.0-slim

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# The development dependency `node`, the one package whose install script is approved, is left out:
# here the image brings Node. Nothing that is left has an install script.
RUN npm ci --omit=dev --ignore-scripts

FROM ${NODE_IMAGE}
WORKDIR /app
# The database is all that is ever written. A volume takes owner and mode from this directory, so
# the root file system can be read-only (docker run --read-only). Name the volume, or consents and
# bans are gone with the container.
RUN install -d -m 0700 -o 10001 -g 10001 /data
VOLUME /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY src ./src
# Of these only what .dockerignore lets through: what operators run inside the container.
COPY scripts ./scripts

# DEMO=false: a lost secret must end the process, never serve made-up rows.
# HOST=0.0.0.0: on a loopback address nobody outside the container could reach the service. Where
# others can, it starts only with access keys (API_KEYS_FILE), or with ALLOW_ANONYMOUS=true where
# everybody who reaches it may read the account. That is for who runs the container to say, so
# neither is set here.
ENV NODE_ENV=production \
    DEMO=false \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATABASE_URL=sqlite:/data/connector.db
EXPOSE 8080

# By number, so that an orchestrator can see that it is not root.
USER 10001:10001

# It needs no access key, but a HOST that covers 127.0.0.1. A failed request is an unhandled
# rejection, so exit code 1. Kubernetes and Podman leave it out and have their own.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then(({ ok }) => process.exit(ok ? 0 : 1))"]

# Node itself is the first process, so that SIGTERM reaches it. Running reads have SHUTDOWN_GRACE_MS
# (25 s) to end, so give it more than Docker's 10 s: docker run --stop-timeout 40.
STOPSIGNAL SIGTERM
CMD ["node", "src/main.ts"]
