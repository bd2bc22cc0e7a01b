package wsprovider.live;

import java.util.Map;

/** The fields of a {@code rampart-server}; what is absent from the JSON is null or 0. */
record ServerSpec(
        String policy,
        String suite,
        int port,
        String service,
        String servicePassword,
        String[] trusted,
        String tls,
        String tlsPassword,
        Map<String, String> users,
        String passwordType,
        int keyComputation,
        Map<String, String> rampart) {

    /** Users who may call when the command names none. */
    private static final Map<String, String> DEFAULT_USERS = Map.of("alice", "development", "bob", "development");

    private static final int SERVER_KEY = 3;

    Map<String, String> passwords() {
        return users == null ? DEFAULT_USERS : users;
    }

    /** How a conversation's key comes about, in rahas' numbers: 1 the client's entropy, 2 computed from both sides', 3 the server's own. */
    int keyOrigin() {
        return keyComputation == 0 ? SERVER_KEY : keyComputation;
    }

    boolean digest() {
        return "PasswordDigest".equals(passwordType);
    }

    String[] trustedCertificates() {
        return trusted == null ? new String[0] : trusted;
    }
}
