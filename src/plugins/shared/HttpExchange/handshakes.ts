/**
 * What a failed TLS handshake means, by the code of OpenSSL.
 *
 * @internal
 */

/** Words for an alert that says what the server wants. */
export const handshakeProblem = (code: string): string =>
  words.find(([form]) => form.test(code))?.[1] ??
  `the TLS handshake failed (${code}); does the server speak TLS on this port?`

/** As it stands behind what the server did. */
export const asksForCertificate = "the server asks for a client certificate, and Holter shows none"

const words: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /NO_APPLICATION_PROTOCOL/,
    "the server does not speak HTTP/1.1 (HTTP/2 alone?), and Holter speaks nothing else"
  ],
  [/CERTIFICATE_REQUIRED|ALERT_BAD_CERTIFICATE|ALERT_NO_CERTIFICATE/, asksForCertificate],
  [
    /ALERT_HANDSHAKE_FAILURE/,
    "the server refuses the TLS handshake; does it ask for a client certificate, or share no cipher?"
  ],
  [
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/,
    "the server speaks another version of TLS; expected TLS 1.2 or 1.3"
  ],
  [/UNRECOGNIZED_NAME/, "the server has no certificate for this host name"]
]
