package wsprovider.live;

import java.util.Map;

/** The fields of a {@code rampart-call}; what is absent from the JSON is null, 0 or false. */
record CallSpec(
        String policy,
        String suite,
        String url,
        String soap,
        String text,
        String payload,
        String username,
        String password,
        String passwordType,
        String client,
        String clientPassword,
        String serviceCert,
        String ca,
        boolean addressing,
        Map<String, String> rampart,
        Integer calls,
        boolean cancel,
        boolean keepCancelled,
        String session,
        boolean endSession,
        int timeoutSeconds,
        String record) {

    boolean soap12() {
        return "1.2".equals(soap);
    }

    boolean digest() {
        return "PasswordDigest".equals(passwordType);
    }

    int rounds() {
        return calls == null ? 1 : calls;
    }

    int timeoutMillis() {
        return 1000 * (timeoutSeconds > 0 ? timeoutSeconds : 30);
    }
}
