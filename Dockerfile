FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm install --ignore-scripts
COPY . .
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/ops/probe.sh ./
USER node
EXPOSE 3000
# Which part it plays is an argument: start, topics, token …; the file system may be read-only.
ENTRYPOINT ["node", "--enable-source-maps", "--max-semi-space-size=32", "dist/src/cli/main.js"]
CMD ["start"]
