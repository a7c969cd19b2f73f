# syntax=docker/dockerfile:1

# Everything that building needs, and nothing of it in the image that runs.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY machines ./machines
COPY src ./src
# The dashboard, where the checkout has one.
COPY we[b] ./web
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Lookout" \
	org.opencontainers.image.description="Durable, explained crypto opportunity scans"
# redis-server serves a single container without REDIS_URL, with its data in the volume; tini passes signals on.
RUN apt-get update \
	&& apt-get install -y --no-install-recommends redis-server tini \
	&& rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
RUN mkdir /data && chown node:node /data
COPY --from=dependencies --chown=root:root /app/node_modules ./node_modules
COPY --from=build --chown=root:root /app/dist ./dist
COPY --chown=root:root package.json ./
USER node
VOLUME /data
EXPOSE 3000
# HOST is not loopback here, so JWT_SECRET and ADMIN_PASSWORD are required (ROLE=worker needs REDIS_URL instead).
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
	CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/bin/tini", "--"]
# Scans in hand live longer than the usual young generation, and no object of a scan is long-lived: copying them took a
# fourth of a busy worker's time. Compiled code stays and the heap is not shrunk, or a process that rests compiles it again.
CMD ["node", "--max-semi-space-size=32", "--no-allocation-site-pretenuring", "--no-flush-bytecode", "--no-memory-reducer", "dist/src/main.js"]
