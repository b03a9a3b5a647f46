# syntax=docker/dockerfile:1
# The image: the build, its production dependencies, nothing else; a numeric user; a root file system that may be
# read-only. Put your configuration at /postern/postern.yaml; what must survive lies under /postern/data.
ARG NODE_IMAGE=node:26-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: the one that would run fetches a Node, and this image is one.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Postern" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY config/schemas ./config/schemas
COPY config/profiles ./config/profiles
# The shipped deny rules stand where a configuration finds them by default; mount your own over them.
COPY policies /postern/policies
# Empty volumes take over the owner of the folders they cover.
RUN install -d -o 10001 -g 10001 -m 0750 /postern/data /postern/data/audit
WORKDIR /postern
ENV NODE_ENV=production \
    POSTERN_CONFIG=/postern/postern.yaml \
    POSTERN_OPS_ADDRESS=0.0.0.0:9090
USER 10001:10001
# The database with the keys made on first start, and the journal: nothing else is written.
VOLUME ["/postern/data", "/postern/data/audit"]
EXPOSE 8080 8081 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=15s --retries=3 \
    CMD ["node", "/app/dist/main.js", "healthcheck"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
