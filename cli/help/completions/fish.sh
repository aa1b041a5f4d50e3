# Completion of berth for fish: berth completion fish | source
function __berth_complete
    command berth complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null
end
complete -c berth -f -a '(__berth_complete)'
complete -c berth -n '__fish_seen_subcommand_from cp' -F
