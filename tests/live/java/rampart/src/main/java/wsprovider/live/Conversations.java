package wsprovider.live;

import java.util.Map;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.rahas.Token;
import org.apache.rahas.TokenStorage;
import org.apache.rahas.TrustException;
import org.apache.rahas.TrustUtil;
import org.apache.ws.security.conversation.ConversationConstants;

/** The conversations a Rampart client is in at one moment: the identifier of the token in use, by service. */
final class Conversations {
    private final TokenStorage tokens;
    private final Map<Object, Object> current;
    private final Map<Object, Object> known;

    @SuppressWarnings("unchecked")
    Conversations(ConfigurationContext context) {
        tokens = TrustUtil.getTokenStore(context);
        current = (Map<Object, Object>) context.getProperty(ConversationConstants.KEY_CONTEXT_MAP);
        known = current == null ? Map.of() : Map.copyOf(current);
    }

    /** Makes the client go on in these conversations, though it may have cancelled them since. */
    void restore() throws TrustException {
        for (Map.Entry<Object, Object> conversation : known.entrySet()) {
            current.put(conversation.getKey(), conversation.getValue());
            // The map has the reference as the service wrote it; the store knows it without the fragment's mark.
            tokens.getToken(conversation.getValue().toString().replaceFirst("^#", "")).setState(Token.ISSUED);
        }
    }
}
