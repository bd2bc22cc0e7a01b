package wsprovider.live;

import com.sun.xml.wss.impl.callback.PasswordValidationCallback;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Checks passwords for the servers of this process; Metro makes an instance by class name, hence the static table. */
public final class Users implements PasswordValidationCallback.PasswordValidator {
    private static final Map<String, String> PASSWORDS = new ConcurrentHashMap<>();

    static void add(Map<String, Object> passwords) {
        passwords.forEach((user, password) -> PASSWORDS.put(user, password.toString()));
    }

    @Override
    public boolean validate(PasswordValidationCallback.Request request) {
        return request instanceof PasswordValidationCallback.PlainTextPasswordRequest plain
            && plain.getPassword() != null
            && plain.getPassword().equals(PASSWORDS.get(plain.getUsername()));
    }
}
