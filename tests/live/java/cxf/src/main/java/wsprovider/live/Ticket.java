package wsprovider.live;

import java.util.Base64;
import org.apache.wss4j.common.WSS4JConstants;
import org.apache.wss4j.common.util.KeyUtils;
import org.apache.wss4j.dom.message.token.KerberosSecurity;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * A Kerberos ticket as WSS4J got it from the JDK.
 *
 * @param token the AP-REQ, wrapped as GSS-API does
 * @param named a message does not carry the token but names it by its SHA-1
 */
record Ticket(byte[] token, byte[] key, boolean named) {

    /** Logs in and asks for a ticket for the service. */
    static Ticket of(Request request) throws Exception {
        Kerberos.configure(request);
        KerberosSecurity made = new KerberosSecurity(Xml.parse("<none/>"));
        Kerberos.Login login =
            new Kerberos.Login(request.text("principal"), request.text("principalPassword", ""), null);
        made.retrieveServiceTicket(
            request.required("loginModule"), login, request.required("servicePrincipal"), true);
        return new Ticket(made.getToken(), made.getSecretKey().getEncoded(), false);
    }

    Ticket byName() {
        return new Ticket(token, key, true);
    }

    String sha1() throws Exception {
        return Base64.getEncoder().encodeToString(KeyUtils.generateDigest(token));
    }

    Element element(Document envelope, String id) throws Exception {
        KerberosSecurity written = new KerberosSecurity(envelope);
        written.setValueType(WSS4JConstants.WSS_GSS_KRB_V5_AP_REQ);
        written.setToken(token);
        written.addWSUNamespace();
        written.setID(id);
        return written.getElement();
    }
}
