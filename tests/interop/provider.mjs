// An OpenID provider on loopback: `node provider.mjs PORT REDIRECT_URI`, with its packages under the working directory.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const { default: Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));
const [port, redirect] = process.argv.slice(2);

const client = (method) => ({
  client_id: method,
  client_secret: `secret of ${method}`,
  redirect_uris: [redirect],
  token_endpoint_auth_method: method,
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client("client_secret_post"), client("client_secret_basic")],
  features: { devInteractions: { enabled: true }, registration: { enabled: true } },
  scopes: ["openid", "email", "offline_access", "api:read", "api:write"],
  claims: { email: ["email", "email_verified"] },
  cookies: { keys: ["loopback"] },
  issueRefreshToken: async (_, client) => client.grantTypeAllowed("refresh_token"),
  pkce: { required: (_, client) => client.clientAuthMethod === "none" },
  rotateRefreshToken: true,
  // Shorter than five minutes, so that every read of the credential refreshes it.
  ttl: { AccessToken: 120 },
  findAccount: async (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, email: `${id}@Example.com`, email_verified: true }),
  }),
});
provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
