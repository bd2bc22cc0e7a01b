package wsprovider.live;

import java.util.Map;
import org.apache.cxf.ws.security.SecurityConstants;

/**
 * Keeps the algorithm settings of one call from reaching the next.
 *
 * <p>CXF holds its GCM suites as shared objects and writes the properties of a call into them, for the rest of the
 * JVM's life. So every call says all of them: what the test asked for, else what a fresh CXF would use.
 */
final class SuiteDefaults {
    private static final String RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
    private static final String HMAC_SHA1 = "http://www.w3.org/2000/09/xmldsig#hmac-sha1";

    private SuiteDefaults() { }

    static void complete(Map<String, Object> properties) {
        signature(properties, SecurityConstants.ASYMMETRIC_SIGNATURE_ALGORITHM,
            SecurityConstants.CUSTOM_ALG_SUITE_ASYMMETRIC_SIGNATURE, RSA_SHA1);
        signature(properties, SecurityConstants.SYMMETRIC_SIGNATURE_ALGORITHM,
            SecurityConstants.CUSTOM_ALG_SUITE_SYMMETRIC_SIGNATURE, HMAC_SHA1);
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_DIGEST_ALGORITHM,
            "http://www.w3.org/2001/04/xmlenc#sha256");
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_ENCRYPTION_ALGORITHM,
            "http://www.w3.org/2009/xmlenc11#aes256-gcm");
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_SYMMETRIC_KEY_ENCRYPTION_ALGORITHM,
            "http://www.w3.org/2001/04/xmlenc#kw-aes256");
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_ASYMMETRIC_KEY_ENCRYPTION_ALGORITHM,
            "http://www.w3.org/2001/04/xmlenc#rsa-1_5");
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_SIGNATURE_DERIVED_KEY_LENGTH, 192);
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_MINIMUM_SYMMETRIC_KEY_LENGTH, 256);
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_MAXIMUM_SYMMETRIC_KEY_LENGTH, 256);
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_MINIMUM_ASYMMETRIC_KEY_LENGTH, 1024);
        properties.putIfAbsent(SecurityConstants.CUSTOM_ALG_SUITE_MAXIMUM_ASYMMETRIC_KEY_LENGTH, 4096);
    }

    /** The general property would overrule the one of a custom suite, so it is set only where that is absent. */
    private static void signature(Map<String, Object> properties, String general, String custom, String usual) {
        if (!properties.containsKey(custom)) {
            properties.putIfAbsent(general, usual);
        }
    }
}
