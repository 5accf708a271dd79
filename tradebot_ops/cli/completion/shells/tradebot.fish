# Completion of tradebot for fish. The command `completion install` puts it where new shells find it.
function __tradebot_complete
    set -l words (commandline -opc)
    for line in (_TRADEBOT_COMPLETE=(commandline -cp) $words[1] 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path (commandline -ct)
            case :open
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c tradebot -f -a '(__tradebot_complete)'
