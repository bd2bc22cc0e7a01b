package wsprovider.live;

import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.UnsupportedCallbackException;
import org.apache.wss4j.common.ext.WSPasswordCallback;

/**
 * Answers what WSS4J asks for by name.
 *
 * @param keyPassword opens the own private key
 * @param users passwords by user name
 * @param sessionKeys symmetric keys by the name the messages give them (for an EncryptedKey its SHA-1 in Base64)
 */
record Secrets(String keyPassword, Map<String, String> users, Map<String, byte[]> sessionKeys)
        implements CallbackHandler {

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (!(callback instanceof WSPasswordCallback question)) {
                throw new UnsupportedCallbackException(callback);
            }
            switch (question.getUsage()) {
                case WSPasswordCallback.DECRYPT, WSPasswordCallback.SIGNATURE -> question.setPassword(keyPassword);
                case WSPasswordCallback.SECRET_KEY, WSPasswordCallback.SECURITY_CONTEXT_TOKEN ->
                    question.setKey(sessionKeys.get(question.getIdentifier()));
                default -> question.setPassword(users.get(question.getIdentifier()));
            }
        }
    }
}
