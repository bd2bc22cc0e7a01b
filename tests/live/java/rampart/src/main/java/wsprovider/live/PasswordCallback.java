package wsprovider.live;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.callback.UnsupportedCallbackException;
import org.apache.ws.security.WSPasswordCallback;

/**
 * Answers Rampart's questions for passwords on either side. Rampart makes an instance by class name, hence the static table of the server's users;
 * a client hands its user's password to Axis2 and only asks here for keys.
 */
public final class PasswordCallback implements CallbackHandler {
    private static final Map<String, String> USERS = new ConcurrentHashMap<>();

    static void addUsers(Map<String, String> passwords) {
        USERS.putAll(passwords);
    }

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (!(callback instanceof WSPasswordCallback question)) {
                throw new UnsupportedCallbackException(callback);
            }
            switch (question.getUsage()) {
                case WSPasswordCallback.SIGNATURE, WSPasswordCallback.DECRYPT -> question.setPassword(KeyMaterial.PASSWORD);
                case WSPasswordCallback.USERNAME_TOKEN -> user(question);
                default -> { } // Secret keys and security context tokens are in Rampart's own token store.
            }
        }
    }

    /** WSS4J compares with what is set here; a plain password handed in is compared here as well, since Rampart accepts any. */
    private static void user(WSPasswordCallback question) throws IOException {
        String known = USERS.get(question.getIdentifier());
        if (known == null || (question.getPassword() != null && !question.getPassword().equals(known))) {
            throw new IOException("unknown user or wrong password");
        }
        question.setPassword(known);
    }
}
