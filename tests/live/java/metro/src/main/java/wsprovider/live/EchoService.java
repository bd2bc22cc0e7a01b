package wsprovider.live;

import jakarta.xml.ws.Provider;
import jakarta.xml.ws.Service;
import jakarta.xml.ws.ServiceMode;
import jakarta.xml.ws.WebServiceProvider;
import javax.xml.transform.Source;
import javax.xml.transform.dom.DOMSource;

/** Says back what it was told; the word "fault" makes it fail. */
@WebServiceProvider
@ServiceMode(Service.Mode.PAYLOAD)
public class EchoService implements Provider<Source> {
    @Override
    public Source invoke(Source request) {
        try {
            String text = Xml.argument(Xml.document(request).getDocumentElement());
            if ("fault".equals(text)) {
                throw new IllegalArgumentException("asked to fail");
            }
            return new DOMSource(Xml.echoResponse(text));
        } catch (RuntimeException asked) {
            throw asked;
        } catch (Exception problem) {
            throw new IllegalStateException(problem);
        }
    }
}
