import Domain

struct PortuguesePhrases: Phrases {
    let language = Language.portuguese

    func sentence(_ verdict: Verdict) -> HTML {
        let rest: HTML =
            switch verdict.others {
            case 0: "."
            case 1: "; há mais um assunto abaixo."
            default: "; há mais \(verdict.others) assuntos abaixo."
            }
        switch verdict.finding {
        case .well(let services):
            switch services {
            case 0: return "Este posto está bem: os seus serviços vêm só de arquivos, e não há nada a fazer\(rest)"
            case 1: return "Este posto está bem: o único serviço dá sinal de vida, e não há nada a fazer\(rest)"
            default: return "Este posto está bem: todos os \(services) serviços dão sinal de vida, e não há nada a fazer\(rest)"
            }
        case .empty:
            return "Este posto está bem e nenhum serviço se registrou ainda: inicie um, ou registre-o com “posto register”\(rest)"
        case .unwell(.otherAlert, let message, let hint):
            return #"Este posto não está bem. <span lang="en">\#(message) \#(hint)</span>"#
        case .unwell(let kind, _, _): return "Este posto não está bem, porque \(reason(kind)): \(advice(kind))\(rest)"
        case .strained(.otherAlert, let message, let hint):
            return #"Este posto funciona, mas avisa: <span lang="en">\#(message) \#(hint)</span>"#
        case .strained(let kind, _, _): return "Este posto funciona, mas \(reason(kind)): \(advice(kind))\(rest)"
        case .trouble(1, _, let first):
            return "Este posto funciona, mas \(first.html) está com problema: abra-o para ver o que fazer\(rest)"
        case .trouble(let services, let all, let first):
            return "Este posto funciona, mas \(services) de \(all) serviços estão com problema: comece por \(first.html)\(rest)"
        case .watch(1, _, let first):
            return "Este posto funciona, mas \(first.html) está atrasado ou avisa: espere um minuto e abra-o\(rest)"
        case .watch(let services, let all, let first):
            return
                "Este posto funciona, mas \(services) de \(all) serviços estão atrasados ou avisam: espere um minuto e comece por \(first.html)\(rest)"
        case .unreadable:
            return
                "Este posto responde, mas os serviços não podem ser lidos do disco: veja o registro do daemon (journalctl -u posto)\(rest)"
        }
    }

    func word(_ mood: Mood) -> String {
        switch mood {
        case .well: "Bem"
        case .attention: "Pede atenção"
        case .trouble: "Com problema"
        }
    }

    func reason(_ kind: Matter.Kind) -> String {
        switch kind {
        case .alert(let code):
            switch code {
            case .diskFull: "o disco está cheio e as mudanças são recusadas"
            case .mapFull: "o armazém cresceu além do espaço previsto"
            case .reserve: "há pouco disco em reserva para o armazém"
            case .budget: "o armazém já usou quase todo o seu espaço"
            case .damagedInstances: "algumas instâncias não podem ser lidas do disco"
            case .leaseCopy: "os prazos dos serviços não podem ser copiados para o disco"
            case .clockBehind: "o relógio do computador está atrasado"
            case .salvaged: "o armazém estava danificado, e salvou-se o que se pôde ler"
            case .lastGoodCopy: "o armazém estava danificado, e o posto segue a partir de uma cópia mais antiga"
            case .beganEmpty: "o armazém estava danificado, e o posto começou com um vazio"
            case .evidence: "arquivos danificados, postos de lado, ocupam espaço"
            case .cloned: "outro nó envia com o nome deste, e por isso o envio parou"
            case .unreachable: "o centro não pode ser alcançado, e o que lhe cabe espera aqui"
            case .deadLetters: "o centro recusou alguns dados de vez"
            }
        case .otherAlert: "ele avisa de algo"
        case .slowDisk(let milliseconds): "o disco leva \(Figure.text(milliseconds, in: language)) ms para guardar uma mudança"
        case .memory(let percent): "\(Figure.text(percent, in: language)) % da memória do computador está em uso"
        case .processor(let percent): "ele ocupa \(Figure.text(percent, in: language)) % dos processadores do computador"
        case .coldCache(let percent): "só \(Figure.text(percent, in: language)) % das consultas são respondidas por cópias"
        }
    }

    func advice(_ kind: Matter.Kind) -> String {
        switch kind {
        case .alert(let code):
            switch code {
            case .diskFull: "libere espaço no disco da pasta de estado; o posto continua sozinho"
            case .mapFull: "faça um backup, reinicie o daemon e comunique o caso com o registro"
            case .reserve: "libere espaço no disco da pasta de estado, ou diminua store.size_max"
            case .budget: "aumente store.size_max, ou guarde menos nos fluxos"
            case .damagedInstances: "reinicie esses serviços para que se registrem de novo, e mande verificar o disco"
            case .leaseCopy: "libere espaço no disco da pasta de estado"
            case .clockBehind: "acerte o relógio, ou dê ao computador um servidor de hora"
            case .salvaged, .lastGoodCopy: "mande verificar o disco antes de confiar nele"
            case .beganEmpty: "reinicie os serviços para que se registrem de novo, e mande verificar o disco"
            case .evidence: "mova os conjuntos da pasta “evidence” para outro disco"
            case .cloned: "dê a um dos dois outro node.id e reinicie-o; nada se perde"
            case .unreachable: "veja a ligação; nada se perde, e o envio continua sozinho"
            case .deadLetters: "pergunte em GET /api/v1/deadletters quais e por quê, e avise quem os enviou"
            }
        case .otherAlert: "veja as palavras do próprio posto"
        case .slowDisk: "veja o que mais escreve nesse disco, e a saúde dele"
        case .memory: "feche o que este computador não precisa"
        case .processor: "veja quem o chama tantas vezes"
        case .coldCache: "nada está errado; só é mais lento do que poderia"
        }
    }

    let otherLanguage = "English"
    let skipToState = "Ir para o estado do posto"
    let sections = "Seções desta página"
    let refresh = "Atualizar"
    let pictureOf = "Retrato das"
    let pictureAge = "há {age}"
    let pictureIsOld = "Este retrato está velho. Atualize a página; se não ajudar, veja se o posto está ligado."
    let connectionLost =
        "A ligação com o posto caiu; o que você vê é o último retrato. Veja a rede, ou se o posto está ligado. A página tenta de novo sozinha."
    let developmentMode = "Modo de desenvolvimento: quem chama deste computador é administrador."
    func panelFailed(_ reason: String) -> String {
        "Esta parte não pôde ser mostrada (\(reason)). As outras estão certas; tente de novo daqui a pouco."
    }

    let matters = "O que pede atenção"
    func word(_ level: NodePicture.Level) -> String {
        switch level {
        case .healthy: "Nota"
        case .degraded: "Aviso"
        case .unhealthy: "Problema"
        }
    }
    let whatToDo = "O que fazer"
    let theNodesWords = "Nas palavras do posto, em inglês"

    let services = "Serviços"
    func serviceCount(_ services: Int, instances: Int) -> HTML {
        "\(Figure.data(services, id: "services-count", in: language)) \(services == 1 ? "serviço" : "serviços"), \(Figure.data(instances, id: "instances-count", in: language)) \(instances == 1 ? "instância" : "instâncias")"
    }
    func staticCount(_ count: Int) -> HTML { ", \(Figure.data(count, id: "statics-count", in: language)) de arquivos" }
    let searchLabel = "Procurar por nome ou computador"
    let search = "Procurar"
    let clearSearch = "Mostrar todos"
    let all = "Todas"
    func word(_ group: Standing.Group) -> String {
        switch group {
        case .trouble: "Com problema"
        case .attention: "Atraso ou aviso"
        case .well: "Bem"
        }
    }
    func word(_ health: Health) -> String {
        switch health {
        case .unknown: "não sondado"
        case .passing: "responde"
        case .warning: "avisa"
        case .critical: "não responde"
        }
    }
    func word(_ freshness: Freshness) -> String {
        switch freshness {
        case .fresh: "dá sinal"
        case .stale: "atrasado"
        case .expired: "sem sinal"
        }
    }
    func heard(_ age: HTML) -> HTML { "há \(age)" }
    let fromAFile = "de um arquivo"
    let nothingRegistered = "Nenhum serviço se registrou ainda. Inicie um, ou registre-o com “posto register”."
    func nothingFound(_ search: String) -> HTML { "Nenhum nome e nenhum computador contém “\(.foreign(search))”. Procure por menos." }
    let nothingInGroup = "Não há nenhuma."
    func shown(_ first: Int, _ last: Int, of count: Int) -> HTML {
        "\(Figure.text(first, in: language)) a \(Figure.text(last, in: language)) de \(Figure.data(count, id: "matching-count", in: language))"
    }
    let pagesOfServices = "Páginas da lista"
    let previous = "Anterior"
    let next = "Próxima"

    let allServices = "Todos os serviços"
    func sentence(_ service: ServiceVerdict) -> HTML {
        switch service {
        case .one(.silent, let name, _):
            "\(.foreign(name)) ficou sem sinal: inicie-o de novo no computador dele, e ele volta sozinho."
        case .one(.failing, let name, let address):
            "\(.foreign(name)) não responde em \(.foreign(address)): veja se o programa está ligado, e espere dez segundos."
        case .one(.warning, let name, _): "\(.foreign(name)) funciona e avisa de algo: veja o registro dele."
        case .one(.late, let name, _):
            "\(.foreign(name)) está atrasado com o sinal de vida: espere um minuto e, se ficar sem sinal, inicie-o de novo."
        case .one(.unchecked, let name, _): "\(.foreign(name)) dá sinal de vida, e não há nada a fazer."
        case .one(.well, let name, _): "\(.foreign(name)) responde e dá sinal de vida, e não há nada a fazer."
        case .several(let standing, let name, let troubled, let all) where standing.group == .trouble:
            "\(.foreign(name)): \(troubled) de \(all) instâncias estão com problema; veja se os programas estão ligados, a começar pela primeira abaixo."
        case .several(let standing, let name, _, _) where standing.group == .attention:
            "\(.foreign(name)) funciona, mas uma instância está atrasada ou avisa: espere um minuto e veja a primeira abaixo."
        case .several(_, let name, _, let all):
            "\(.foreign(name)) dá sinal de vida com todas as \(all) instâncias, e não há nada a fazer."
        case .fromFile(let name):
            "\(.foreign(name)) está num arquivo deste posto, e ninguém se registrou com esse nome: nada se sabe de como ele está."
        }
    }
    func word(_ standing: Standing) -> String {
        switch standing {
        case .silent: "sem sinal"
        case .failing: "não responde"
        case .warning: "avisa"
        case .late: "atrasado"
        case .unchecked: "dá sinal"
        case .well: "responde"
        }
    }
    func unknownService(_ name: String) -> HTML {
        "Nenhum serviço “\(.foreign(name))” está registrado aqui: pode ter saído, ou chamar-se de outro modo; procure na lista."
    }
    let address = "Endereço"
    let tenant = "Inquilino"
    let health = "Sonda"
    let heartbeat = "Sinal de vida"
    let healthEndpoint = "Sondado em"
    let serviceVersion = "Versão"
    let transport = "Protocolo"
    let weight = "Peso"
    let leaseLength = "Prazo"
    let leaseEnds = "O prazo termina"
    let registeredAt = "Registrado"
    let revision = "Revisão"
    let tags = "Etiquetas"
    let capabilities = "Capacidades"
    let metadata = "Metadados"
    func moreInstances(_ count: Int) -> String { "Mais \(count) instâncias não são mostradas; estas são as piores." }

    let uplink = "Envio ao centro"
    func word(_ link: SinkPicture.Link) -> String {
        switch link {
        case .sending: "ligado"
        case .trying: "tentando de novo"
        case .waiting: "sem ligação"
        }
    }
    let waitingRecords = "À espera de envio"
    let oldestWaiting = "O mais antigo"
    let lastAck = "Último recibo"
    let drainEstimate = "Tudo enviado em cerca de"
    let deadLetters = "Recusados pelo centro"
    let never = "nunca"
    let nothingWaits = "nada"
    let nobodyKnows = "não se sabe"
    let noSinks = "Ainda nada se sabe do envio."

    let node = "Este posto"
    let nodeID = "Nó"
    let site = "Local"
    let noSite = "sem nome"
    let version = "Versão do Posto"
    let epoch = "Época"
    let runningFor = "Ligado há"
    let storeUsed = "Armazém usado"
    let diskFree = "Disco livre"
    let commitTime = "Guardar uma mudança"
    let processor = "Processadores usados"
    let memory = "Memória em uso"

    let unknownCaller = Refusal(
        title: "Quem é você?",
        sentence: "Este posto não conhece você, e por isso não mostra nada: abra esta página no próprio computador do posto.",
        advice: """
            <p>De outro computador, traga a página por SSH e abra lá <span class="code">http://127.0.0.1:8500/ui/</span>:</p>
            <p class="code">ssh -L 8500:127.0.0.1:8500 <var>usuário</var>@<var>computador</var></p>
            <p>Se você já está no computador do posto, o administrador fechou o acesso local (<span class="code">access.loopback</span>).</p>
            """)
    let notPermitted = Refusal(
        title: "Sem permissão",
        sentence: "Você não pode ver esta página: peça ao administrador deste posto que trate como serviço quem chama deste computador.",
        advice: """
            <p>O ajuste é <span class="code">access.loopback = "service"</span> em <span class="code">/etc/posto/posto.toml</span>, \
            e depois <span class="code">systemctl reload posto</span>.</p>
            """)
    let notFound = Refusal(title: "Não encontrada", sentence: "Esta página não existe: volte ao estado do posto.", advice: "")
    let methodNotAllowed = Refusal(
        title: "As páginas só se leem",
        sentence: "Esta página só pode ser lida: mudanças se fazem pela linha de comando ou pela interface HTTP.", advice: "")
    let busy = Refusal(
        title: "Ocupado", sentence: "Há mais páginas pedidas do que o posto faz de uma vez: tente de novo em alguns segundos.", advice: "")
}
