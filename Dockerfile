# pvkit as an image: `docker build -t pvkit .`, then `docker run --network host pvkit serve --demo`.

# glibc, as on the machines that the tests run on: the embedded store brings compiled code for it.
ARG NODE=22-bookworm-slim

FROM node:${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npx tsc -p tsconfig.build.json \
  && chmod 755 dist/cli/main.js \
  && npm prune --omit=dev --no-audit --no-fund

FROM node:${NODE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# A named volume takes the owner of the folder that it is mounted on.
RUN ln -s /app/dist/cli/main.js /usr/local/bin/pvkit \
  && mkdir /data \
  && chown node:node /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 5075/tcp 5076/udp
# Asks the server of this container by UDP, on EPICS_PVA_BROADCAST_PORT; exit code 0 if it answers.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["pvkit", "probe", "-w", "2"]
# pvkit is process 1: it gets SIGTERM itself, ends its connections in good order and exits with 0.
ENTRYPOINT ["pvkit"]
CMD ["serve", "--workspace", "/data"]
