/**
 * Bench. The certificate of the servers that speak TLS: self-signed, for localhost, for a hundred
 * years. Its key protects nothing. It is in the source so that measuring needs no other program:
 *
 *   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 \
 *     -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout - -out -
 */

export const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUNWkcfY4MQatNFGCb1mSayijM1gQwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA3NDEwNFoYDzIxMjYxMDI4
MDc0MTA0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASokbiJQF41fdecszRIdI4ItAe3VtR+b84UoJxo1Jfp+CQk0x3AKRpj
7QDkoitutrc/tpgoEYmTWMLnj0Vfm4O/o28wbTAdBgNVHQ4EFgQUd+cufuVAmjMX
MaEsxpfaou+BYeUwHwYDVR0jBBgwFoAUd+cufuVAmjMXMaEsxpfaou+BYeUwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAKcfOUujunlPcXonWJjcQCH9v8OtS3LBWKahC3HxfjxZAiBc
WudYLHkwTRUA5YbIB+0oy/Xgw0g6d7SmGQr0iIFBFw==
-----END CERTIFICATE-----`

export const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgcK9hKGpU5dkRLFnd
bxQY4XXumFiFszESaFHuD8dhnLihRANCAASokbiJQF41fdecszRIdI4ItAe3VtR+
b84UoJxo1Jfp+CQk0x3AKRpj7QDkoitutrc/tpgoEYmTWMLnj0Vfm4O/
-----END PRIVATE KEY-----`
